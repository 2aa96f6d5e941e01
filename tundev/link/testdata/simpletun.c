/* A point-to-point tunnel as in the tutorial "Tun/Tap interface tutorial" by Davide
 * Brini, written anew from its description, for the tests of package link: what is read
 * from a TUN or TAP device goes over one TCP connection, each packet behind its length of
 * 16 bits in network order, and the other way round. The options are the tutorial's:
 *
 *   simpletun -i IFACE (-s | -c ADDRESS) [-p PORT] [-u | -a]
 *
 * It ends when the other end does. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFSIZE 2000 /* large enough for an MTU of 1500 */

static void die(const char *what) {
	perror(what);
	exit(1);
}

static int tun_alloc(const char *name, int flags) {
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0)
		die("/dev/net/tun");
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_flags = flags;
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("TUNSETIFF");
	return fd;
}

/* read_n reads n bytes, and returns 0 at the end of the stream. */
static int read_n(int fd, char *buf, int n) {
	for (int got, left = n; left > 0; left -= got, buf += got) {
		got = read(fd, buf, left);
		if (got < 0)
			die("read");
		if (got == 0)
			return 0;
	}
	return n;
}

static void write_n(int fd, const char *buf, int n) {
	for (int put; n > 0; n -= put, buf += put) {
		put = write(fd, buf, n);
		if (put < 0)
			die("write");
	}
}

static int meet(int server, const char *address, int port) {
	struct sockaddr_in at;
	int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0)
		die("socket");
	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_port = htons(port);
	if (!server) {
		at.sin_addr.s_addr = inet_addr(address);
		if (connect(s, (struct sockaddr *)&at, sizeof(at)) < 0)
			die("connect");
		return s;
	}
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	at.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	if (listen(s, 5) < 0)
		die("listen");
	int c = accept(s, NULL, NULL);
	if (c < 0)
		die("accept");
	return c;
}

int main(int argc, char **argv) {
	const char *iface = "", *address = "";
	int opt, server = 0, port = 55555, flags = IFF_TUN;
	char buf[BUFSIZE];
	while ((opt = getopt(argc, argv, "i:sc:p:ua")) > 0) {
		switch (opt) {
		case 'i': iface = optarg; break;
		case 's': server = 1; break;
		case 'c': address = optarg; break;
		case 'p': port = atoi(optarg); break;
		case 'u': flags = IFF_TUN; break;
		case 'a': flags = IFF_TAP; break;
		default: return 2;
		}
	}
	int tap = tun_alloc(iface, flags | IFF_NO_PI);
	int net = meet(server, address, port);
	int max = tap > net ? tap : net;
	for (;;) {
		fd_set rd;
		uint16_t len;
		FD_ZERO(&rd);
		FD_SET(tap, &rd);
		FD_SET(net, &rd);
		if (select(max + 1, &rd, NULL, NULL, NULL) < 0) {
			if (errno == EINTR)
				continue;
			die("select");
		}
		if (FD_ISSET(tap, &rd)) {
			int n = read(tap, buf, BUFSIZE);
			if (n < 0)
				die("read");
			len = htons(n);
			write_n(net, (char *)&len, sizeof(len));
			write_n(net, buf, n);
		}
		if (FD_ISSET(net, &rd)) {
			if (read_n(net, (char *)&len, sizeof(len)) == 0)
				return 0;
			int n = ntohs(len);
			if (n > BUFSIZE)
				return 1;
			if (read_n(net, buf, n) == 0)
				return 0;
			if (write(tap, buf, n) < 0 && errno != EIO && errno != EINVAL)
				die("write");
		}
	}
}
