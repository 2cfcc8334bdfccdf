package main

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// This file names the forms of private keys, and the ways to encrypt them, that are not read, with
// the command that makes a form that is.

// foreignKeys are files with private keys of other programs, by how they begin.
var foreignKeys = []struct{ begins, name, command string }{
	{"\xFE\xED\xFE\xED", "a Java keystore (JKS)",
		"keytool -importkeystore -srckeystore KEY -destkeystore key.p12 -deststoretype PKCS12"},
	{"\xCE\xCE\xCE\xCE", "a Java keystore (JCEKS)", "keytool -importkeystore -srckeystore KEY " +
		"-srcstoretype JCEKS -destkeystore key.p12 -deststoretype PKCS12"},
	{"\x1E\xF1\xB5\xB0", "a key of Microsoft's (PVK)", // RC4, if it is encrypted
		"openssl rsa -inform PVK -in KEY -out key.pem" + oldCiphers},
	{"PuTTY-User-Key-File", "a key of PuTTY's", "puttygen KEY -O private-openssh -o key && " +
		"ssh-keygen -p -m PEM -f key"},
	{"-----BEGIN OPENSSH PRIVATE KEY", "a key of OpenSSH's",
		"cp KEY key.pem && ssh-keygen -p -m PEM -f key.pem"},
	{"-----BEGIN PGP PRIVATE KEY", "a key of OpenPGP's", "gpg --export-secret-keys, and a tool " +
		"such as monkeysphere's openpgp2ssh"},
	{"\x07\x02\x00\x00\x00\xA4\x00\x00", "a key blob of Microsoft's",
		"openssl rsa -inform MSBLOB -in KEY -out key.pem"},
	{"{\"kty\"", "a key in JSON (JWK)", "a converter from JWK to PEM, such as step crypto jose"},
	{"-----BEGIN PKCS7", "certificates in PKCS #7, without their private keys",
		"export the key with its certificate, as PKCS #12"},
	{"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", "a key of ssh.com's", "ssh-keygen -i -f KEY"},
}

// oldCiphers are the arguments with which OpenSSL 3 reads what is encrypted with ciphers that it
// has put aside: RC2, RC4, single DES, IDEA and SEED, and with keys by PBKDF1.
const oldCiphers = " -provider legacy -provider default"

// needsOld reports whether oldCiphers are needed for a scheme.
func needsOld(name string) bool {
	return slices.ContainsFunc([]string{"MD2", "MD5-", "RC2", "RC4", "-DES", "DES-CBC", "IDEA",
		"SEED"}, func(old string) bool { return strings.Contains(name, old) })
}

// unreadCipher names the cipher of OpenSSL's old form of encryption, from the header of its PEM.
func unreadCipher(info string) error {
	name, _, _ := strings.Cut(info, ",")
	command := "openssl pkey -in KEY -out key.pem"
	if needsOld(name) {
		command += oldCiphers
	}
	return fmt.Errorf("it is encrypted with %.40q, which is not read here, whatever the "+
		"password; this makes one that is: %s", name, command)
}

// asWritten returns the text of a file without what editors and mail programs put into it: a byte
// order mark, UTF-16, and spaces before its lines.
func asWritten(text []byte) []byte {
	plain := text
	switch {
	case bytes.HasPrefix(text, []byte("\xEF\xBB\xBF")):
		plain = text[3:]
	case bytes.HasPrefix(text, []byte("\xFF\xFE")), bytes.HasPrefix(text, []byte("\xFE\xFF")):
		plain = bytes.ReplaceAll(text[2:], []byte{0}, nil) // PEM is ASCII
	}
	if !bytes.Contains(plain, []byte("-----BEGIN")) {
		return text
	}
	lines := bytes.Split(plain, []byte("\n"))
	for i := range lines {
		lines[i] = bytes.TrimSpace(lines[i])
	}
	return bytes.Join(lines, []byte("\n"))
}

// noKey says what a PEM without a private key has.
func noKey(text []byte) error {
	for _, x := range []struct{ has, says string }{
		{"PRIVATE KEY-----", "what begins as one is cut off or damaged"},
		{"BEGIN PUBLIC KEY", "it has a public key, and the private one is needed"},
		{"BEGIN RSA PUBLIC KEY", "it has a public key, and the private one is needed"},
		{"BEGIN CERTIFICATE REQUEST", "it has a request for a certificate; the private key was " +
			"made with it, in another file"},
		{"BEGIN CERTIFICATE", "it has a certificate, and not the private key to it"},
	} {
		if bytes.Contains(text, []byte(x.has)) {
			return errors.New("no private key in it: " + x.says)
		}
	}
	return errors.New("no private key in it")
}

// foreignKey names a file of another program's, or returns nil.
func foreignKey(text []byte) error {
	for _, f := range foreignKeys {
		if bytes.HasPrefix(bytes.TrimLeft(text, "\r\n\t "), []byte(f.begins)) {
			return fmt.Errorf("it is %s, which is not read here; this makes one that is: %s",
				f.name, f.command)
		}
	}
	return nil
}

// keySchemes name algorithms of encryption and derivation by their object identifiers. Those that
// are read have no name in a message.
var keySchemes = map[string]string{
	"1.2.840.113549.1.5.1": "PBE-MD2-DES", "1.2.840.113549.1.5.3": "PBE-MD5-DES",
	"1.2.840.113549.1.5.4": "PBE-MD2-RC2", "1.2.840.113549.1.5.6": "PBE-MD5-RC2",
	"1.2.840.113549.1.5.10": "PBE-SHA1-DES", "1.2.840.113549.1.5.11": "PBE-SHA1-RC2",
	"1.2.840.113549.1.12.1.1": "PBE-SHA1-RC4-128", "1.2.840.113549.1.12.1.2": "PBE-SHA1-RC4-40",
	"1.2.840.113549.1.12.1.3": "PBE-SHA1-3DES", "1.2.840.113549.1.12.1.4": "PBE-SHA1-2DES",
	"1.2.840.113549.1.12.1.5": "PBE-SHA1-RC2-128", "1.2.840.113549.1.12.1.6": "PBE-SHA1-RC2-40",
	"1.2.840.113549.2.8": "PBKDF2-SHA224", "1.2.840.113549.2.10": "PBKDF2-SHA384",
	"1.2.840.113549.2.11": "PBKDF2-SHA512", "1.2.840.113549.2.12": "PBKDF2-SHA512/224",
	"1.2.840.113549.2.13": "PBKDF2-SHA512/256", "1.2.840.113549.2.6": "PBKDF2-MD5",
	"1.3.14.3.2.7": "DES-CBC", "1.2.840.113549.3.2": "RC2-CBC", "1.2.840.113549.3.4": "RC4",
	"1.2.392.200011.61.1.1.1.2": "CAMELLIA-128-CBC",
	"1.2.392.200011.61.1.1.1.4": "CAMELLIA-256-CBC",
	"1.2.410.200046.1.1.2":      "ARIA-128-CBC", "1.2.410.200046.1.1.12": "ARIA-256-CBC",
	"1.2.156.10197.1.104.2": "SM4-CBC",
}

// readSchemes are the identifiers of what is read: PBES2, PBKDF2 with SHA-1 and SHA-256, scrypt,
// 3DES and AES.
var readSchemes = []string{"1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12", "1.2.840.113549.2.7",
	"1.2.840.113549.2.9", "1.3.6.1.4.1.11591.4.11", "1.2.840.113549.3.7", "2.16.840.1.101.3.4.1.2",
	"2.16.840.1.101.3.4.1.6", "2.16.840.1.101.3.4.1.22", "2.16.840.1.101.3.4.1.26",
	"2.16.840.1.101.3.4.1.42", "2.16.840.1.101.3.4.1.46"}

// unreadScheme names what an EncryptedPrivateKeyInfo is encrypted with, if that is not read: then
// no password opens it here. Otherwise it returns nil.
func unreadScheme(a pkix.AlgorithmIdentifier) error {
	der, err := asn1.Marshal(a)
	if err != nil {
		return nil
	}
	for _, id := range identifiers(der, maxNested) {
		if slices.Contains(readSchemes, id) {
			continue
		}
		name := keySchemes[id]
		if name == "" {
			name = "the algorithm " + id
		}
		command := "openssl pkcs8 -in KEY -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 " +
			"-out key.pem"
		if needsOld(name) {
			command += oldCiphers
		}
		return fmt.Errorf("it is encrypted with %s, which is not read here, whatever the "+
			"password; this makes one that is: %s", name, command)
	}
	return nil
}

// identifiers returns the object identifiers in a structure.
func identifiers(der []byte, depth int) (list []string) {
	for len(der) > 0 && depth > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			break
		}
		var id asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(v.FullBytes, &id); err == nil {
			list = append(list, id.String())
		} else if v.IsCompound {
			list = append(list, identifiers(v.Bytes, depth-1)...)
		}
		der = rest
	}
	return list
}

// unreadStore says why a PKCS #12 is not read, from the error of the library that reads them.
func unreadStore(err error) error {
	says := strings.TrimPrefix(err.Error(), "pkcs12: ")
	const convert = "this makes one that is: openssl pkcs12 -legacy -in KEY -nodes -out key.pem"
	switch {
	case strings.Contains(says, "private key missing"):
		return errors.New("it is a PKCS #12 with certificates, and no private key in it")
	case strings.Contains(says, "no MAC"):
		return errors.New("it is a PKCS #12 without a MAC, which is not read here; " + convert)
	case strings.Contains(says, "not supported"):
		for id, name := range keySchemes {
			if strings.Contains(says, "algorithm "+id+" ") {
				says = name
			}
		}
		return fmt.Errorf("it is a PKCS #12 encrypted in a way that is not read here, whatever "+
			"the password: %s; %s", says, convert)
	}
	return fmt.Errorf("it is a PKCS #12 that cannot be read: %s", says)
}
