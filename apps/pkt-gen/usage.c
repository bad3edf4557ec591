#include "apps/pkt-gen/options.h"

#include <stdio.h>

/* One string a subject: ISO C promises no more than 4095 characters for one literal. */
static const char *const usage_text[] = {
    "usage: pkt-gen -i PORT [-f FUNCTION] [options]\n"
    "\n"
    "Sends and receives frames over a netmap port, and measures the rate.\n"
    "pkt-gen-b is the same program, which asks in a loop instead of sleeping.\n"
    "\n"
    "  -i PORT       vale1:a, netmap:x{1, netmap:x}1, netmap:eth0 ...\n"
    "  -f FUNCTION   rx (default), tx, ping, pong, txseq, rxseq\n"
    "  -n COUNT      frames to send or receive, 0 = no end (default); 10k, 5M, 1G are understood\n"
    "  --seconds N   end after N seconds\n"
    "  -h, --help    this text\n"
    "  --version     what this is\n"
    "\n",
    "Frames:\n"
    "  -l BYTES      length without checksum (60); given twice: random lengths between the two\n"
    "  -4, -6        IP version\n"
    "  -s, -d IP[:PORT[-IP:PORT]]\n"
    "                source (10.0.0.1:1234), destination (10.1.0.1:1234), or ranges of them\n"
    "  -S, -D MAC    source (random), destination (ff:ff:ff:ff:ff:ff)\n"
    "  -z, -Z        random source, random destination address and port\n"
    "  -F PIECES     send a frame in 1..63 slots\n"
    "  -M BYTES      send a frame in slots of at most BYTES\n"
    "  -I            indirect slots\n"
    "  -r            rubbish: send what the buffers hold\n"
    "  --verify      tx: a sequence number and a checked pattern in every frame;\n"
    "                rx: report lost, reordered and corrupted frames, exit 1 on the last two\n"
    "  --allow-foreign   rx --verify: count frames of other senders, do not call them corrupted\n"
    "\n",
    "Pace and threads:\n"
    "  -b FRAMES     frames a batch (512; ping and pong 1)\n"
    "  -R PPS        send at that rate\n"
    "  -p THREADS    one ring for each thread (1)\n"
    "  -a CPU        bind thread 0 to this processor, the others to the next ones\n"
    "  -c CPUS       ... using that many processors\n"
    "  -w SECONDS    wait for the link (2; 0 for vale ports and pipes)\n"
    "  -W            rx: end if all rings are empty at first\n"
    "  -C TX_SLOTS[,RX_SLOTS[,TX_RINGS[,RX_RINGS]]]   deprecated: use PORT@conf:...\n"
    "  -o BITS       1 prefetch, 2 access, 4 copy, 8 memcpy, 16 timestamp, 32 indirect, 64 dump,\n"
    "                256 rubbish, 512 random source, 1024 random destination, 2048 statistics,\n"
    "                4096 checksums\n"
    "\n",
    "Report:\n"
    "  -T MS         interval of the reports (1000)\n"
    "  -N            numbers without units\n"
    "  -A            mean and standard deviation of the rates\n"
    "  -B            count 24 bytes of Ethernet framing in the bit rates\n"
    "  -X            print the bytes of every frame\n"
    "  -v            say more\n"
    "  --json        on stdout, one JSON object for each interval and one for the result\n"
    "\n"
    "Not there yet: -H (virtio-net headers), -P and the ports tap:, pcap: and null.\n",
};

void usage_print(void)
{
    unsigned i;

    for (i = 0; i < sizeof(usage_text) / sizeof(usage_text[0]); i++)
        fputs(usage_text[i], stdout);
}
