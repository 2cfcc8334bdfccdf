module github.com/vitrine-tls/vitrine

go 1.26
