// The least that a reflector can do: one blocking read, one write, for each packet.
// What it costs is the kernel's, and what every other reflector is held against.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void swap(uint8_t *a, uint8_t *b, int n) {
	uint8_t t[4];
	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

int main(int argc, char **argv) {
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	uint8_t p[2048];
	int fd = open("/dev/net/tun", O_RDWR);
	if (argc != 2 || fd < 0) {
		perror("reflector DEVICE");
		return 1;
	}
	strncpy(ifr.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		perror("TUNSETIFF");
		return 1;
	}
	for (;;) {
		ssize_t n = read(fd, p, sizeof p);
		if (n < 28 || p[0] >> 4 != 4)
			continue;
		uint8_t *l4 = p + (p[0] & 15) * 4;
		if (p[9] == IPPROTO_UDP) {
			swap(l4, l4 + 2, 2); // neither sum changes when words change places
		} else if (p[9] == IPPROTO_ICMP && l4[0] == 8) {
			// Request to reply: 0x0800 less in the sum, so more in its complement.
			uint32_t sum = (l4[2] << 8 | l4[3]) + 0x0800;
			sum = (sum & 0xffff) + (sum >> 16);
			l4[0] = 0, l4[2] = sum >> 8, l4[3] = sum;
		} else {
			continue;
		}
		swap(p + 12, p + 16, 4);
		if (write(fd, p, n) < 0)
			perror("write"); // the device is not up
	}
}
