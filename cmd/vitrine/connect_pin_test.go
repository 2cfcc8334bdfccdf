package main

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A digest is read in each spelling, also one whose base64 begins with the slash that ends the
// prefix: one key of 64 has such a pin.
func TestAPinIsReadInEachSpelling(t *testing.T) {
	for _, first := range []byte{0x00, 0xf8, 0xfb, 0xfc, 0xff} {
		for _, second := range []byte{0x00, 0xef, 0xf0, 0xff} {
			pin := sha256.Sum256([]byte{first, second})
			pin[0], pin[1] = first, second
			b := base64.StdEncoding.EncodeToString(pin[:])
			h := hex.EncodeToString(pin[:])
			for _, text := range []string{
				b, "sha256/" + b, "sha256//" + b, "sha256:" + b,
				h, "sha256/" + h, "sha256//" + h, "sha256:" + h, strings.ToUpper(h),
			} {
				got, err := pinsOf("--pin", []string{text}, "")
				if err != nil || len(got) != 1 || got[0] != pin {
					t.Errorf("%s: %x, %v; want %x", text, got, err, pin)
				}
				for _, bad := range []string{text[1:], text + "A", "sha1/" + text} {
					if got, err := pinsOf("--pin", []string{bad}, ""); err == nil {
						t.Errorf("%s was read as %x", bad, got)
					}
				}
			}
		}
	}
}

// What a pin proves depends on where its key is: in a chain that was verified, in the server's own
// certificate, or in one that anybody could have appended.
func TestConnectSaysWhatAPinProves(t *testing.T) {
	foreign, err := throwaway.New(throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := foreign.Issue(throwaway.ECDSA, []string{"other.example"})
	if err != nil {
		t.Fatal(err)
	}
	cert := rig.Certificate(t, throwaway.ECDSA)
	cert.Certificate = append(cert.Certificate[:1:1], other.Certificate[0])
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go answerAll(l)

	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: rig.Authority().Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	pin := func(der []byte) string {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return pinOf(c)
	}
	own, appended := pin(cert.Certificate[0]), pin(cert.Certificate[1])
	root, absent := pinOf(rig.Authority().Cert), pinOf(foreign.Cert)
	const (
		held     = "; a pinned key is in that chain"
		none     = "none of the pinned public keys is in the server's chain"
		besides  = none + ": one is in a certificate that it sent besides, which proves nothing"
		confirms = "# if the server's owner confirms this pin"
	)
	verify := "--ca " + roots
	for _, c := range []struct {
		pin, flags  string
		code        int
		want, never string
	}{
		{own, verify, exitOK, "by Vitrine demo CA" + held, none},
		{root, verify, exitOK, "by Vitrine demo CA" + held, none},
		{appended, verify, exitUntrusted, besides, "trusted for"},
		{absent, verify, exitUntrusted, none + " TO KNOW", "besides"},
		{own, "-k", exitOK, "the server has the private key of it", "nothing is proved"},
		{appended, "-k", exitOK, "nothing is proved about who is there", "the pin holds"},
		{absent, "-k", exitUntrusted, none + " TO KNOW", "trusted for"},
	} {
		code, stdout, stderr := command(t, append([]string{"connect", l.Addr().String(), "-i=false",
			"--sni", rig.ServerName, "--pin", c.pin}, strings.Fields(c.flags)...)...)
		text := strings.Join(strings.Fields(stdout+stderr), " ")
		if code != c.code || !strings.Contains(text, c.want) || strings.Contains(text, c.never) {
			t.Errorf("--pin %s %s: exit code %d:\n%s", c.pin, c.flags, code, stdout+stderr)
		}
		// The report has the pins that the server has, and a line with its own.
		if !strings.Contains(text, "pin "+own) ||
			c.code != exitOK && !strings.Contains(text, own+"' "+confirms) {
			t.Errorf("--pin %s %s does not show the server's:\n%s", c.pin, c.flags, stdout)
		}
	}
}

// answerAll performs the handshakes of all that connect to l, and waits for them to leave.
func answerAll(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			conn.Read(make([]byte, 1))
		}()
	}
}

// A refused pin, or another kind of key than was asked for, leads to the key that the server shows,
// whether or not the server asked for a certificate of ours.
func TestARefusedPinLeadsToTheServersKey(t *testing.T) {
	cert := rig.Certificate(t, throwaway.ECDSA)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	own, other := pinOf(leaf), "sha256/"+strings.Repeat("A", 43)+"="
	raw := vitrine.RawPublicKey(cert.PrivateKey.(crypto.Signer))
	const (
		shown = "shows a raw public key, and answers only who asks for one"
		none  = "none of the pinned public keys is in the server's chain"
	)
	for _, c := range []struct {
		certificate vitrine.Certificate
		auth        vitrine.ClientAuthType
		flags       string
		code        int
		want, try   string
	}{
		{raw, vitrine.RequestClientCert, "--raw-public-key --pin " + other, exitUntrusted,
			own + ", is none of those that are pinned",
			"--raw-public-key --sni " + rig.ServerName + " --pin '" + own + "' #"},
		{raw, vitrine.NoClientCert, "-k", exitFailed, shown,
			"-k --sni " + rig.ServerName + " --raw-public-key --pin '" + own + "' #"},
		{cert, vitrine.NoClientCert, "-k --raw-public-key", exitFailed,
			"works with: vitrine connect", "-k --sni " + rig.ServerName + " in Go"},
		{cert, vitrine.RequireAnyClientCert, "-k --pin " + other, exitFailed, none,
			"--pin '" + own + "' --cert client.pem --key client.key #"},
	} {
		for _, version := range []string{"1.2", "1.3"} {
			l, err := vitrine.Listen("tcp", "127.0.0.1:0", &vitrine.Config{
				Certificates: []vitrine.Certificate{c.certificate}, ClientAuth: c.auth})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go answerAll(l)
			code, stdout, stderr := command(t, append([]string{"connect", l.Addr().String(),
				"-i=false", "--max", version, "--sni", rig.ServerName},
				strings.Fields(c.flags)...)...)
			text := strings.Replace(strings.Join(strings.Fields(stdout+stderr), " "),
				" --max "+version, "", -1)
			want, try := c.want, c.try
			if c.code == exitFailed && c.auth == vitrine.RequireAnyClientCert && version == "1.3" {
				// There the pin is refused before the server has refused us.
				c.code, try = exitUntrusted, "--pin '"+own+"' #"
			}
			if code != c.code || !strings.Contains(text, want) || !strings.Contains(text, try) {
				t.Errorf("%s, TLS %s: exit code %d, want %d, %q and %q:\n%s", c.flags, version,
					code, c.code, want, try, stdout+stderr)
			}
		}
	}
}

// A server whose key is not the pinned one never sees our certificate; the pinned one does.
func TestOurCertificateIsForThePinnedKeyAlone(t *testing.T) {
	server := rig.Certificate(t, throwaway.ECDSA)
	leaf, err := x509.ParseCertificate(server.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	cert, key := broken.Files(t, rig.Certificate(t, throwaway.ECDSA, throwaway.ForClient))
	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: rig.Authority().Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.2", "1.3"} {
		for _, trust := range []string{"-k", "--ca=" + roots} {
			for pin, want := range map[string]int{pinOf(leaf): exitOK,
				"sha256/" + strings.Repeat("A", 43) + "=": exitUntrusted} {
				var shown atomic.Int32
				l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
					Certificates: []tls.Certificate{server}, ClientAuth: tls.RequestClientCert,
					VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
						shown.Add(int32(len(raw)))
						return nil
					}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				go answerAll(l)
				code, stdout, stderr := command(t, "connect", l.Addr().String(), "-i=false",
					"--max", version, "--sni", rig.ServerName, trust, "--pin", pin,
					"--cert", cert, "--key", key)
				if code != want || (shown.Load() > 0) != (want == exitOK) {
					t.Errorf("TLS %s, %s: exit code %d, expected %d; %d certificates shown\n%s",
						version, trust, code, want, shown.Load(), stdout+stderr)
				}
			}
		}
	}
}
