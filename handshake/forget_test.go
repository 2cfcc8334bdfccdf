package handshake

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// After a handshake neither side holds an ephemeral private key, the pre_master_secret, keys that
// protect no more data, or the ClientHello: a memory dump opens nothing of it, and a connection
// costs less. See RFC 5246 §8.1.
func TestForgetDropsWhatOnlyTheHandshakeNeeded(t *testing.T) {
	for v, row := range map[iana.Version]struct {
		config  func(string) *negotiation.Config
		perform func(c, s *negotiation.Config) ([2]*Machine, [2]error)
	}{
		iana.TLS12: {func(seed string) *negotiation.Config { return config(seed, ecdheECDSA) },
			func(client, server *negotiation.Config) ([2]*Machine, [2]error) {
				c, s, _, errs := perform(client, server)
				return [2]*Machine{c, s}, errs
			}},
		iana.TLS13: {config13, func(c, s *negotiation.Config) ([2]*Machine, [2]error) {
			return perform13(c, s, func(p player) player { return p })
		}},
	} {
		var events trace.Memory
		client, server := row.config("forget client"), row.config("forget server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		client.Log = trace.New(trace.Client, &events, time.Now)
		server.Log = trace.New(trace.Server, &events, time.Now)
		machines, errs := row.perform(client, server)
		if errs != [2]error{} {
			t.Fatal(errs)
		}
		var gone [][]byte
		for _, e := range events.Entries {
			switch e := e.Event.(type) {
			case *trace.Ephemeral:
				gone = append(gone, e.Private)
			case *trace.Message:
				if e.Type == iana.ClientHello {
					gone = append(gone, e.Raw)
				}
			}
		}
		if len(gone) != 4 {
			t.Fatalf("%v: %d values to look for, expected a key and the hello of each side", v,
				len(gone))
		}
		for side, m := range machines {
			had := held(m)
			m.Forget()
			has := held(m)
			if len(had) <= len(has) {
				t.Errorf("%v: the %v holds %d values, and held %d", v, iana.Side(side), len(has),
					len(had))
			}
			switch s := m.secrets.(type) {
			case *secrets12:
				if s.block.Raw != nil {
					t.Errorf("%v: the %v still has the key_block", v, iana.Side(side))
				}
			default:
				if _, known := s.keys(iana.Client, Handshaking); known {
					t.Errorf("%v: the %v still has a handshake_traffic_secret", v, iana.Side(side))
				}
			}
			for _, value := range has {
				for i, secret := range gone {
					if bytes.Equal(secret, value) ||
						len(value) > 32 && bytes.Contains(secret, value) {
						t.Errorf("%v: the %v still holds value %d, or %d bytes of it", v,
							iana.Side(side), i, len(value))
					}
				}
			}
		}
	}
}

// held returns every slice of bytes that can be reached from m, but for those of its Log.
func held(m *Machine) (all [][]byte) {
	seen := map[uintptr]bool{}
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() || seen[v.Pointer()] || v.Type() == reflect.TypeFor[*trace.Log]() ||
				v.Type() == reflect.TypeFor[*desk]() { // the test's own
				return
			}
			seen[v.Pointer()] = true
			walk(v.Elem())
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				walk(it.Value())
			}
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				if v.Len() > 0 {
					all = append(all, bytes.Clone(v.Bytes()))
				}
				return
			}
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(m))
	return all
}
