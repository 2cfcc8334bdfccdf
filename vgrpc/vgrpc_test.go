package vgrpc_test

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/vgrpc"
)

// serve serves gRPC's health service with the credentials, and returns its address and a function
// that tells what the last call knew of its client.
func serve(t *testing.T, c credentials.TransportCredentials) (string, func() credentials.AuthInfo) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan credentials.AuthInfo, 10)
	server := grpc.NewServer(grpc.Creds(c), grpc.UnaryInterceptor(func(ctx context.Context, req any,
		_ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		p, _ := peer.FromContext(ctx)
		seen <- p.AuthInfo
		return next(ctx, req)
	}))
	healthpb.RegisterHealthServer(server, health.NewServer())
	go server.Serve(l)
	t.Cleanup(server.Stop)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port, func() credentials.AuthInfo { return <-seen }
}

func call(t *testing.T, addr string, c credentials.TransportCredentials) error {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

// Vitrine meets itself and crypto/tls in both roles, and both sides know each other.
func TestCallsWithOurselvesAndCryptoTLSSucceed(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := ca.Issue(throwaway.ECDSA, []string{"somebody"}, throwaway.ForClient)
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]credentials.TransportCredentials{
		"vitrine": vgrpc.New(&vitrine.Config{Certificates: []tls.Certificate{cert},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}),
		"crypto/tls": credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{cert},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}),
	}
	clients := map[string]credentials.TransportCredentials{
		"vitrine": vgrpc.New(&vitrine.Config{RootCAs: ca.Pool(),
			Certificates: []tls.Certificate{own}}),
		"crypto/tls": credentials.NewTLS(&tls.Config{RootCAs: ca.Pool(),
			Certificates: []tls.Certificate{own}}),
	}
	for server, c := range servers {
		addr, seen := serve(t, c)
		for client, c := range clients {
			if err := call(t, addr, c.Clone()); err != nil {
				t.Errorf("%s with %s: %v", client, server, err)
				continue
			}
			var state tls.ConnectionState
			switch info := seen().(type) {
			case vgrpc.Info:
				state = info.State
				if info.Vitrine.Version != vitrine.VersionTLS13 {
					t.Errorf("the version is %#x", info.Vitrine.Version)
				}
			case credentials.TLSInfo:
				state = info.State
			}
			if len(state.PeerCertificates) == 0 || state.NegotiatedProtocol != "h2" ||
				state.PeerCertificates[0].Subject.CommonName != "somebody" {
				t.Errorf("%s with %s: the server knows %+v", client, server, state)
			}
		}
	}
}

// A failed handshake is the error of the call, and says what it comes from.
func TestAFailedHandshakeIsTheErrorOfTheCall(t *testing.T) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.ECDSA, []string{"other.example"})
	if err != nil {
		t.Fatal(err)
	}
	addr, _ := serve(t, vgrpc.New(&vitrine.Config{Certificates: []tls.Certificate{cert}}))
	err = call(t, addr, vgrpc.New(&vitrine.Config{RootCAs: ca.Pool()}))
	if err == nil || !strings.Contains(err.Error(), "other.example") {
		t.Errorf("got %v", err)
	}
	// a server that does not know HTTP/2
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Serve(t, l, func(c net.Conn) { c.(*tls.Conn).Handshake() })
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = vgrpc.New(&vitrine.Config{RootCAs: ca.Pool()}).ClientHandshake(t.Context(),
		"other.example:443", raw)
	if err == nil || !strings.Contains(err.Error(), "did not negotiate HTTP/2") {
		t.Errorf("got %v", err)
	}
}
