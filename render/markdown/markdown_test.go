package markdown

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

func TestTextEscapesMarkup(t *testing.T) {
	for in, want := range map[string]string{
		"master_secret":        "master_secret",
		"_emphasis_ *bold*":    `\_emphasis\_ \*bold\*`,
		"<script>|`x`|[a](b)":  "\\<script\\>\\|\\`x\\`\\|\\[a\\](b)",
		"\x1b[31m &amp; $x$ ~": `\\x1b\[31m \&amp; \$x\$ \~`,
	} {
		if got := text(in); got != want {
			t.Errorf("%q: got %q, expected %q", in, got, want)
		}
	}
	if got := code("a`b|c"); got != `a'b\|c` {
		t.Errorf("code: %q", got)
	}
}

// Text from a peer ends neither the drawing nor a table.
func TestHostileTextStaysInItsCell(t *testing.T) {
	s := &explain.Story{Chapters: []explain.Chapter{{Number: 6, Name: "PROTECTED DATA",
		Steps: []explain.Step{{
			Key: "application_data/client",
			Line: &explain.Line{Number: 1, From: iana.Client, Name: "application_data",
				Remark: "```\n# x |", Size: "1 byte"},
			Facts: []explain.Fact{{Name: "data", Text: "a | b\n| c `d` <img src=x>"}},
		}}}}}
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	doc := b.String()
	if n := strings.Count(doc, "```"); n != 2 {
		t.Errorf("%d fences, expected 2", n)
	}
	if !strings.Contains(doc, `| data | a \| b\\n\| c \`+"`d\\`"+` \<img src=x\> |`) {
		t.Errorf("the cell is broken:\n%s", doc)
	}
}

func TestTheLadderKeepsItsColumns(t *testing.T) {
	for _, l := range []explain.Line{
		{Name: "ClientHello", Size: "107 bytes"},
		{Name: "Finished", Remark: "(encrypted)", Size: "16 in 85 bytes", From: iana.Server},
		{Name: "close_notify", Remark: "both ways", Size: "69 bytes each", BothWays: true},
	} {
		if got := arrow(&l); len(got) != arrowTo-arrowFrom {
			t.Errorf("%d columns, expected %d: %s", len(got), arrowTo-arrowFrom, got)
		}
	}
}
