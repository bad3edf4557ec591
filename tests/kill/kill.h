/*
 * SIGKILL and scribbling against a netmapd of the test's own, which runs as a child and must end
 * with status 0: whatever its clients did, nothing of theirs is left.
 *
 * The program starts itself again for each client, because a forked client would share descriptors.
 * Clients tell how they fare in a page of memory that all map (struct board).
 */
#ifndef NM_TESTS_KILL_H
#define NM_TESTS_KILL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <net/netmap_user.h>

#define MAX_FLOWS 4

struct board {
    uint64_t received[MAX_FLOWS]; /* good frames of a flow so far */
    uint64_t damaged[MAX_FLOWS];  /* frames that were not what was sent, or out of order */
    uint32_t ready;               /* clients that have opened their ports, ever */
    uint32_t stop;                /* verified flows end themselves when this is set */
    uint64_t scribbles;
};
extern struct board *board;

/* ---- process.c ---- */
#define MAX_ARGUMENTS 8

void board_map(const char *directory, bool create);
/* Start this program again in a role; waits until the client is ready. */
pid_t client_start(const char *role, const char *a, const char *b, const char *c, const char *d);
/* Kill it, and wait until it is gone. */
void client_kill(pid_t pid);
/* Kill it while the caller goes on working: a sender whose receiver has stopped does nothing. */
void client_kill_later(pid_t pid, uint64_t microseconds);
bool client_is_dead(pid_t pid);
/* Let it end by itself; its exit status, or -1 when it was a signal. */
int client_wait(pid_t pid);
void client_is_ready(void);

void netmapd_begin(const char *directory);
/* SIGTERM; true when it ends with status 0 and logged no error. */
bool netmapd_end(void);
bool netmapd_alive(void);

uint64_t now_us(void);
void sleep_us(uint64_t microseconds);
uint64_t random_next(uint64_t *state);
uint32_t env_number(const char *name, uint32_t otherwise);
bool quick(void);

/* A failed check ends the test; the text says where. */
void check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern bool test_failed;

/* ---- port.c ---- */
struct port {
    int fd;
    struct nmreq_register reg;
    uint8_t *memory;
    struct netmap_if *nif;
};

/* 0 or an errno. extra: buffers wanted; rings: of each kind, 0 for the default; ring: bind that one
 * only, -1 for all. */
int port_open(struct port *port, const char *name, uint32_t extra, uint16_t rings, int ring,
              uint16_t slots);
/* Retries while netmapd may still be busy with the end of the one before. */
bool port_open_soon(struct port *port, const char *name, uint32_t extra, uint16_t rings, int ring,
                    uint16_t slots);
void port_close(struct port *port);
int port_txsync(const struct port *port);
int port_rxsync(const struct port *port);

/* Roles, for ever or until board->stop; arguments as given to client_start. */
int role_flow_sender(char **arguments);   /* port, own station, other station, flow */
int role_flow_receiver(char **arguments); /* port, own station, flow */
int role_victim_sender(char **arguments); /* port, own station, other station */
int role_victim_receiver(char **arguments); /* port, own station */
int role_pipe_victim(char **arguments);   /* port, ring or -1, extra buffers, habits */
int role_scribbler(char **arguments);     /* port, seconds, seed */

#define PIPE_SLOTS 256 /* of each ring of a pipe whose ends die */

/* Habits of a pipe victim, besides sending and receiving: a set of these. */
#define HABIT_FORWARDS 1 /* swaps buffers between its rx and tx rings */
#define HABIT_EXTRA    2 /* swaps extra buffers into its tx rings */

/* ---- buffers.c ---- */
/* Every buffer in the rings and on the lists of these ports is another one, and valid. The ports
 * share a region; rings that two of them show are counted once. Returns how many, 0: not so. */
uint32_t buffers_count(const struct port *const *ports, unsigned number, uint32_t limit,
                       char *why, size_t size);

#endif
