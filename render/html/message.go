package html

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// rowLen is the number of bytes in a row of a dump.
const rowLen = 16

func (r *run) open(id string, m *trace.Message, rung *explain.Rung) *opened {
	fields := r.dialect[m.From].Annotate(m.Raw)
	notes := map[wire.Field]string{}
	for i, note := range explain.FieldNotes(r.Version, m.Raw, fields) {
		notes[fields[i]] = note
	}
	o := &opened{ID: id, Name: m.Type.String(), Bytes: len(m.Raw), Encrypted: rung.Sealed}
	if m.Type == iana.Certificate || m.Type == iana.CompressedCertificate {
		fields, o.Certificates = withCertificates(fields, m.Raw, notes)
	}
	if rung.Altered && rung.Received != nil {
		o.Altered = rung.Received.Raw.String()
	}
	kinds := make([]string, len(fields))
	for i, f := range fields {
		kinds[i] = kind(fields, i, m)
		b := branch{Index: i, Level: f.Depth, Offset: f.Offset, Len: f.Len, Name: f.Name,
			Value: explain.Escape(f.Value), Kind: kinds[i], Leaf: f.Leaf, Note: notes[f]}
		if f.Leaf {
			o.Leaves++
			if b.Value == "" {
				b.Value = excerpt(m.Raw[f.Offset : f.Offset+f.Len])
			}
		} else {
			b.Summary = summary(fields, i)
		}
		o.Tree = append(o.Tree, b)
	}
	o.Dump = dump(m.Raw, fields, kinds)
	return o
}

// kind returns the kind of a field, which decides its colour.
func kind(fields []wire.Field, i int, m *trace.Message) string {
	f := fields[i]
	name := strings.ToLower(f.Name)
	switch {
	case !f.Leaf:
		return "node"
	case f.Name == "random" && m.Type == iana.ClientHello:
		return "client_random"
	case f.Name == "random" && m.Type == iana.ServerHello:
		return "server_random"
	case f.Name == "verify_data":
		return m.From.String() + "_verify_data"
	case isShare(name) && m.Type == iana.ClientHello:
		return "client_public"
	case isShare(name) && m.Type == iana.ServerHello:
		return "server_public"
	case isPublic(name) && m.Type == iana.ServerKeyExchange:
		return "server_public"
	case isPublic(name) && m.Type == iana.ClientKeyExchange:
		return "client_public"
	case f.Name == "unparsed":
		return "bad"
	case f.Name == "length", strings.HasSuffix(name, "tag and length"):
		return "len"
	case strings.HasPrefix(f.Value, `"`):
		return "str"
	case f.Value != "":
		return "code"
	}
	return "data"
}

// isPublic reports whether a field is a Diffie-Hellman public key, by the names of RFC 5246 §7.4.3
// and RFC 8422 §5.4.
func isPublic(name string) bool {
	return name == "public" || name == "dh_ys" || name == "dh_yc" || name == "ecdh_yc"
}

// isShare reports whether a field is a key of key_share, or a hybrid's part of one. See RFC 8446
// §4.2.8.
func isShare(name string) bool {
	return name == "key_exchange" || strings.HasSuffix(name, "_public_key") ||
		strings.HasPrefix(name, "mlkem")
}

// summary returns what a node contains: the type that its first part names, or the number of its
// parts.
func summary(fields []wire.Field, node int) string {
	depth, parts, kind, name := fields[node].Depth+1, 0, "", ""
	same := true
	for _, f := range fields[node+1:] {
		if f.Depth < depth {
			break
		}
		if f.Depth > depth || f.Name == "length" || f.Name == "tag and length" {
			continue
		}
		if f.Leaf && strings.HasSuffix(f.Name, "_type") && kind == "" {
			kind = f.Value
		}
		same = same && (parts == 0 || f.Name == name)
		name = f.Name
		parts++
	}
	switch {
	case fields[node].Name == "extension" && kind != "":
		return kind
	case parts > 1 && same:
		return fmt.Sprintf("%d × %s", parts, name)
	}
	return ""
}

// dump formats bytes in rows, with the bytes of each leaf in elements of their own. The result has
// only digits, markup of this function, and escaped ASCII.
func dump(raw []byte, fields []wire.Field, kinds []string) template.HTML {
	owner := make([]int, len(raw))
	for i, f := range fields {
		for at := f.Offset; f.Leaf && at < f.Offset+f.Len; at++ {
			owner[at] = i
		}
	}
	var b strings.Builder
	for at := 0; at < len(raw); at += rowLen {
		end := min(at+rowLen, len(raw))
		fmt.Fprintf(&b, `<span class="off">%04x</span> `, at)
		for i := at; i < end; i++ {
			if i == at || owner[i] != owner[i-1] {
				fmt.Fprintf(&b, `<b class="k-%s" data-f="%d">`, kinds[owner[i]], owner[i])
			}
			fmt.Fprintf(&b, "%02x", raw[i])
			if i+1 == end || owner[i+1] != owner[i] {
				b.WriteString("</b>")
			}
			b.WriteByte(' ')
		}
		b.WriteString(strings.Repeat("   ", at+rowLen-end))
		fmt.Fprintf(&b, ` <span class="asc">%s</span>`+"\n",
			template.HTMLEscapeString(printable(raw[at:end])))
	}
	return template.HTML(b.String())
}

// printable returns bytes as ASCII, with a point for each that is not printable.
func printable(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		out[i] = c
	}
	return string(out)
}
