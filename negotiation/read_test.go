package negotiation_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// Reading supported_versions by hand gives what its layout gives. See RFC 8446 §4.2.1.
func TestVersionsReadByHandAreThoseOfTheLayout(t *testing.T) {
	for _, content := range []string{"", "00", "0304", "0303", "03", "030400", "020304", "020303",
		"0403030304", "0404030304", "0503040303", "04030403", "040303030304", "ff0304",
		"0300030400",
		"040a0a0304", "0400030400"} {
		b, err := hex.DecodeString(content)
		if err != nil {
			t.Fatal(err)
		}
		e := message.Extensions{{Type: iana.ExtSupportedVersions, Data: b}}
		var offered message.SupportedVersions
		_, err = negotiation.Read(e, iana.ExtSupportedVersions, &offered)
		want := err == nil && slices.Contains(offered.Versions, iana.TLS13)
		if got := negotiation.OffersTLS13(&message.ClientHello{Extensions: e}); got != want {
			t.Errorf("%q: offers TLS 1.3: %v, expected %v", content, got, want)
		}
		selected := message.SelectedVersion{Version: iana.TLS12}
		if _, err = negotiation.Read(e, iana.ExtSupportedVersions, &selected); err != nil {
			selected.Version = iana.TLS12
		}
		sh := &message.ServerHello{Version: iana.TLS12, Extensions: e}
		if got := negotiation.VersionOf(sh); got != selected.Version {
			t.Errorf("%q: chose %v, expected %v", content, got, selected.Version)
		}
	}
	if negotiation.OffersTLS13(&message.ClientHello{}) {
		t.Error("a hello without supported_versions offers TLS 1.3")
	}
}
