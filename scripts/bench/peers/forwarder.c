// The least that a forwarder between two TUN devices can do: poll, read, write. With
// "vnet" the kernel hands over up to 64 KiB of TCP in one read, checksums unfinished;
// with "plain" it cuts them first, which is what most programs get.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TUN_F_USO4 // headers older than Linux 6.2
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int attach(const char *name, int vnet) {
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0)};
	unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0 ||
	    (vnet && ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) < 0 &&
	     ioctl(fd, TUNSETOFFLOAD, tcp) < 0)) {
		perror(name);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv) {
	static uint8_t p[10 + 65535]; // struct virtio_net_hdr stands before the packet
	struct pollfd dev[2];
	if (argc != 4) {
		fprintf(stderr, "forwarder DEVICE DEVICE vnet|plain\n");
		return 2;
	}
	for (int i = 0; i < 2; i++)
		dev[i] = (struct pollfd){attach(argv[1 + i], !strcmp(argv[3], "vnet")), POLLIN, 0};
	for (;;) {
		poll(dev, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t n;
			// 64 at a time, so that neither direction starves.
			for (int k = 0; k < 64 && (n = read(dev[i].fd, p, sizeof p)) > 0; k++)
				if (write(dev[1 - i].fd, p, n) < 0)
					continue; // the other device is not up yet
		}
	}
}
