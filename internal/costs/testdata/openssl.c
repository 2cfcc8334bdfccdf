// Both ends of TLS connections in one thread, over a loopback socket, by libssl. It is what the
// benchmarks compare with.
//
//     openssl bulk      VERSION SUITE GROUPS CERT KEY ROOT BYTES
//     openssl handshake VERSION SUITE GROUPS CERT KEY ROOT RESUME
//
// VERSION is 0x0303 or 0x0304; SUITE is OpenSSL's name, or "-" for its choice. For each line with a
// number n on standard input it performs n operations, and prints the processor time in µs that they
// took. An operation is a MiB from client to server by writes of BYTES, or a handshake over the same
// socket. With RESUME 1 all but the first resume by the last ticket, which comes before one byte of
// the server's.

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
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	check(bind(l, (void *)&at, n) == 0 && listen(l, 1) == 0 &&
		getsockname(l, (void *)&at, &n) == 0, "listen");
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(fd[0], (void *)&at, n) == 0, "connect");
	fd[1] = accept(l, 0, 0);
	for (int i = 0; i < 2; i++) {
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
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

static void configure(char **argv) {
	long version = strtol(argv[2], 0, 0);
	for (int i = 0; i < 2; i++) {
		SSL_CTX *c = ctx[i] = SSL_CTX_new(i ? TLS_server_method() : TLS_client_method());
		SSL_CTX_set_min_proto_version(c, version);
		SSL_CTX_set_max_proto_version(c, version);
		SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			SSL_MODE_RELEASE_BUFFERS);
		if (strcmp(argv[3], "-"))
			check(version == 0x304 ? SSL_CTX_set_ciphersuites(c, argv[3])
				: SSL_CTX_set_cipher_list(c, argv[3]), "suite");
		check(SSL_CTX_set1_groups_list(c, argv[4]), "groups");
	}
	check(SSL_CTX_use_certificate_file(ctx[1], argv[5], SSL_FILETYPE_PEM) &&
		SSL_CTX_use_PrivateKey_file(ctx[1], argv[6], SSL_FILETYPE_PEM), "certificate");
	check(SSL_CTX_load_verify_locations(ctx[0], argv[7], 0), "root");
	SSL_CTX_set_verify(ctx[0], SSL_VERIFY_PEER, 0);
	SSL_CTX_set_session_cache_mode(ctx[0], SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx[0], keep);
	SSL_CTX_set_session_cache_mode(ctx[1], SSL_SESS_CACHE_OFF);
}

// waits reports whether an end could not go on; anything else than success or that is fatal.
static int waits(SSL *s, int ret, const char *what) {
	if (ret > 0) return 0;
	int e = SSL_get_error(s, ret);
	check(e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE, what);
	return 1;
}

static void shake(SSL *end[2], int fd[2], int resumes) {
	for (int i = 0; i < 2; i++) {
		end[i] = SSL_new(ctx[i]);
		SSL_set_fd(end[i], fd[i]);
	}
	SSL_set_tlsext_host_name(end[0], "vitrine.test");
	SSL_set1_host(end[0], "vitrine.test");
	if (resumes && session) SSL_set_session(end[0], session);
	SSL_set_connect_state(end[0]);
	SSL_set_accept_state(end[1]);
	for (int more = 1; more;)
		more = waits(end[0], SSL_do_handshake(end[0]), "client") |
			waits(end[1], SSL_do_handshake(end[1]), "server");
}

static void handshake(int fd[2], int resumes) {
	SSL *end[2];
	char byte = 0;
	int had = session != 0;
	shake(end, fd, resumes);
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

static void bulk(SSL *end[2], int each) {
	static char out[1 << 20], in[64 << 10];
	int sent = 0, got = 0;
	while (got < sizeof out) {
		while (sent < sizeof out) {
			int n = sizeof out - sent < each ? sizeof out - sent : each;
			n = SSL_write(end[0], out, n);
			if (waits(end[0], n, "write")) break;
			sent += n;
		}
		for (;;) {
			int n = SSL_read(end[1], in, sizeof in);
			if (waits(end[1], n, "read")) break;
			got += n;
		}
	}
}

int main(int argc, char **argv) {
	SSL *end[2];
	int fd[2], n, last;
	check(argc == 9, "arguments");
	last = atoi(argv[8]);
	configure(argv);
	wires(fd);
	int moves = !strcmp(argv[1], "bulk");
	if (moves) shake(end, fd, 0);
	else if (!last) SSL_CTX_set_num_tickets(ctx[1], 0), SSL_CTX_set_options(ctx[1], SSL_OP_NO_TICKET);
	while (scanf("%d", &n) == 1) {
		double before = cpu();
		for (int i = 0; i < n; i++) {
			if (moves) bulk(end, last);
			else handshake(fd, last);
		}
		printf("%.0f\n", cpu() - before);
		fflush(stdout);
	}
	return 0;
}
