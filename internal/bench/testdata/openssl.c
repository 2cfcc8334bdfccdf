// Both ends of TLS connections in one thread, over a loopback socket, by libssl. It is what
// internal/bench compares with.
//
//     openssl WHAT VERSION SUITE GROUPS DIR KEY CLIENT SIZE
//     openssl version
//
// WHAT is handshake, id or resume (a handshake that resumes by session ID, or by ticket or PSK),
// bulk or echo. VERSION is 0x0303 or 0x0304; SUITE and GROUPS are OpenSSL's names, or "-" for its
// choice. DIR has root.pem, KEY.pem and KEY.key, and with CLIENT 1 client.pem and client.key, by
// which the client proves itself.
//
// For each line with a number n on standard input it performs n operations, and prints the
// processor time in µs that they took, and two zeros for the allocations that are not counted.
// Twenty operations, or VITRINE_BENCH_WARM, come before the first that counts. An operation is a MiB each way by writes of
// SIZE bytes, or SIZE bytes each way, or a handshake over the same socket. One that resumes does so
// by the last ticket, which comes before one byte of the server's.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void check(int ok, const char *what) {
	if (ok) return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double cpu(void) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return 1e6 * (u.ru_utime.tv_sec + u.ru_stime.tv_sec) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void wires(int fd[2]) {
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1, buffered = 256 << 10;
	check(bind(l, (void *)&at, n) == 0 && listen(l, 1) == 0 &&
		getsockname(l, (void *)&at, &n) == 0, "listen");
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(fd[0], (void *)&at, n) == 0, "connect");
	fd[1] = accept(l, 0, 0);
	for (int i = 0; i < 2; i++) {
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &buffered, sizeof buffered);
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &buffered, sizeof buffered);
		fcntl(fd[i], F_SETFL, O_NONBLOCK);
	}
	close(l);
}

static SSL_CTX *ctx[2]; // of the client and of the server
static SSL_SESSION *session;

static int keep(SSL *ssl, SSL_SESSION *s) {
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

static void certificate(SSL_CTX *c, const char *dir, const char *name) {
	char cert[4096], key[4096];
	snprintf(cert, sizeof cert, "%s/%s.pem", dir, name);
	snprintf(key, sizeof key, "%s/%s.key", dir, name);
	check(SSL_CTX_use_certificate_file(c, cert, SSL_FILETYPE_PEM) &&
		SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM), "certificate");
}

static void configure(char **argv) {
	long version = strtol(argv[2], 0, 0);
	char root[4096];
	snprintf(root, sizeof root, "%s/root.pem", argv[5]);
	for (int i = 0; i < 2; i++) {
		SSL_CTX *c = ctx[i] = SSL_CTX_new(i ? TLS_server_method() : TLS_client_method());
		SSL_CTX_set_min_proto_version(c, version);
		SSL_CTX_set_max_proto_version(c, version);
		SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
		if (strcmp(argv[3], "-"))
			check(version == 0x304 ? SSL_CTX_set_ciphersuites(c, argv[3])
				: SSL_CTX_set_cipher_list(c, argv[3]), "suite");
		if (strcmp(argv[4], "-")) check(SSL_CTX_set1_groups_list(c, argv[4]), "groups");
		SSL_CTX_set_dh_auto(c, 1);
		check(SSL_CTX_load_verify_locations(c, root, 0), "root");
	}
	certificate(ctx[1], argv[5], argv[6]);
	SSL_CTX_set_verify(ctx[0], SSL_VERIFY_PEER, 0);
	if (atoi(argv[7])) {
		certificate(ctx[0], argv[5], "client");
		SSL_CTX_set_verify(ctx[1], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, 0);
	}
	SSL_CTX_set_session_cache_mode(ctx[0], SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx[0], keep);
	int byID = !strcmp(argv[1], "id"), resumes = byID || !strcmp(argv[1], "resume");
	SSL_CTX_set_session_id_context(ctx[1], (void *)"bench", 5);
	SSL_CTX_set_session_cache_mode(ctx[1], byID ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx[1], resumes ? 1 : 0);
	if (!resumes || byID) SSL_CTX_set_options(ctx[1], SSL_OP_NO_TICKET);
}

// waits reports whether an end could not go on; anything else than success or that is fatal.
static int waits(SSL *s, int ret, const char *what) {
	if (ret > 0) return 0;
	int e = SSL_get_error(s, ret);
	check(e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE, what);
	return 1;
}

static void shake(SSL *end[2], int fd[2]) {
	for (int i = 0; i < 2; i++) {
		end[i] = SSL_new(ctx[i]);
		SSL_set_fd(end[i], fd[i]);
	}
	SSL_set_tlsext_host_name(end[0], "vitrine.test");
	SSL_set1_host(end[0], "vitrine.test");
	if (session) SSL_set_session(end[0], session);
	SSL_set_connect_state(end[0]);
	SSL_set_accept_state(end[1]);
	for (int more = 1; more;)
		more = waits(end[0], SSL_do_handshake(end[0]), "client") |
			waits(end[1], SSL_do_handshake(end[1]), "server");
}

static void handshake(int fd[2], int resumes) {
	SSL *end[2];
	char byte = 0;
	if (!resumes) SSL_SESSION_free(session), session = 0;
	int had = session != 0;
	shake(end, fd);
	if (resumes) {
		check(SSL_session_reused(end[0]) == had, "resumption");
		check(SSL_write(end[1], &byte, 1) == 1, "write");
		while (waits(end[0], SSL_read(end[0], &byte, 1), "read"));
	}
	for (int i = 0; i < 2; i++) {
		SSL_set_quiet_shutdown(end[i], 1);
		SSL_shutdown(end[i]);
		SSL_free(end[i]);
	}
}

// move sends total bytes by writes of each.
static void move(SSL *from, SSL *to, int total, int each) {
	static char out[1 << 20], in[64 << 10];
	int sent = 0, got = 0;
	while (got < total) {
		while (sent < total) {
			int n = total - sent < each ? total - sent : each;
			n = SSL_write(from, out, n);
			if (waits(from, n, "write")) break;
			sent += n;
		}
		for (;;) {
			int n = SSL_read(to, in, sizeof in);
			if (waits(to, n, "read")) break;
			got += n;
		}
	}
}

int main(int argc, char **argv) {
	SSL *end[2];
	int fd[2], n;
	if (argc == 2) return !puts(OpenSSL_version(OPENSSL_VERSION));
	check(argc == 9, "arguments");
	configure(argv);
	wires(fd);
	int size = atoi(argv[8]), full = !strcmp(argv[1], "handshake");
	int total = strcmp(argv[1], "bulk") ? size : 1 << 20;
	if (size) shake(end, fd);
	for (int warm = 1;; warm = 0) {
		if (warm) n = getenv("VITRINE_BENCH_WARM") ? atoi(getenv("VITRINE_BENCH_WARM")) : 20;
		else if (scanf("%d", &n) != 1) return 0;
		double before = cpu();
		for (int i = 0; i < n; i++) {
			if (!size) handshake(fd, !full);
			else move(end[0], end[1], total, size), move(end[1], end[0], total, size);
		}
		if (!warm) printf("%.0f 0 0\n", cpu() - before), fflush(stdout);
	}
}
