package probe

import (
	"io"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// testsslRow is an element of testssl.sh's flat JSON.
type testsslRow struct {
	ID       string `json:"id"`
	IP       string `json:"ip"` // "name/address"
	Port     string `json:"port"`
	Severity string `json:"severity"`
	CVE      string `json:"cve,omitempty"`
	Finding  string `json:"finding"`
}

// testsslNames are testssl.sh's identifiers for facts, with the severity of each answer.
var testsslNames = []struct {
	fact, id string
	bad      Told
	severity string
	cve      string
}{
	{"heartbleed", "heartbleed", Yes, "CRITICAL", "CVE-2014-0160"},
	{"ccs_injection", "CCS", Yes, "CRITICAL", "CVE-2014-0224"},
	{"ticketbleed", "ticketbleed", Yes, "CRITICAL", "CVE-2016-9244"},
	{"client_renegotiation", "secure_client_renego", Yes, "MEDIUM", "CVE-2011-1473"},
	{"robot", "ROBOT", Yes, "CRITICAL", "CVE-2017-17382 CVE-2017-13099"},
	{"secure_renegotiation", "secure_renego", No, "CRITICAL", "CVE-2009-3555"},
	{"compression", "CRIME_TLS", Yes, "HIGH", "CVE-2012-4929"},
	{"fallback_scsv", "fallback_SCSV", No, "HIGH", ""},
	{"session_ticket", "sessionresumption_ticket", "", "INFO", ""},
	{"session_id", "sessionresumption_ID", "", "INFO", ""},
	{"early_data", "early_data", Yes, "HIGH", ""},
	{"client_certificate", "clientAuth", "", "INFO", ""},
	{"grease", "GREASE", No, "CRITICAL", ""},
}

var testsslVersions = map[iana.Version]struct{ id, offered, missing string }{
	ssl2:       {"SSLv2", "CRITICAL", "OK"},
	iana.SSL30: {"SSLv3", "HIGH", "OK"}, iana.TLS10: {"TLS1", "LOW", "INFO"},
	iana.TLS11: {"TLS1_1", "LOW", "INFO"}, iana.TLS12: {"TLS1_2", "OK", "INFO"},
	iana.TLS13: {"TLS1_3", "OK", "INFO"},
}

// WriteTestssl writes reports in the form of testssl.sh's --jsonfile, with its identifiers: for
// what reads such files already. It has what both programs ask.
func WriteTestssl(w io.Writer, reports []*Report) error {
	rows := []testsslRow{}
	for _, r := range reports {
		host, port, err := net.SplitHostPort(r.Target)
		if err != nil {
			host = r.Target
		}
		add := func(id, severity, cve, finding string) {
			rows = append(rows,
				testsslRow{id, host + "/" + r.Address, port, severity, cve, finding})
		}
		if !r.Reached {
			add("scanProblem", "FATAL", "", r.Problem)
			continue
		}
		r.testssl(add)
	}
	return writeIndented(w, rows)
}

func (r *Report) testssl(add func(id, severity, cve, finding string)) {
	for _, v := range r.Versions {
		row, told := testsslVersions[v.version], string(v.Told)
		switch v.Told {
		case Yes:
			add(row.id, row.offered, "", "offered")
		case No:
			add(row.id, row.missing, "", "not offered")
		default:
			add(row.id, "WARN", "", told+": "+v.Detail)
		}
	}
	for _, v := range r.Versions {
		for _, x := range v.Suites {
			name := strings.ToLower(testsslVersions[v.version].id)
			add("cipher-"+name+"_x"+strings.ToLower(strings.TrimPrefix(x.Code, "0x")), "INFO", "",
				x.Name)
		}
	}
	for _, f := range testsslNames {
		fact := r.Fact(f.fact)
		severity := "OK"
		switch {
		case fact.Told == NotTold:
			severity = "WARN"
		case fact.Told == f.bad, f.bad == "":
			severity = f.severity
		}
		text := string(fact.Told)
		if fact.Detail != "" {
			text += ": " + fact.Detail
		}
		add(f.id, severity, f.cve, text)
	}
	for _, c := range r.Chains {
		severity, text := "OK", "passed"
		if c.Trusted != Yes {
			severity, text = "CRITICAL", "failed: "+c.Trust
		}
		add("cert_chain_of_trust", severity, "", text)
		add("cert_commonName", "INFO", "", c.Subject)
		add("cert_subjectAltName", "INFO", "", strings.Join(c.Names, " "))
		add("cert_notAfter", "INFO", "", c.NotAfter.UTC().Format("2006-01-02 15:04"))
	}
}
