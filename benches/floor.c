/* The least that a request and its reply cost between two processes: no codec, no language's runtime.
 *
 *   floor socket|memory REQUEST REPLY SECONDS
 *
 * sends REQUEST bytes and gets REPLY bytes back, over a blocking Unix socket, or through shared memory at which both
 * sides look without a pause. Prints the median and the 99th percentile in microseconds, the number of round trips, and
 * the CPU microseconds of each side for one of them. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 64 << 20, MAX_TRIPS = 1 << 20, MIN_TRIPS = 5 };

/* Each counter has a cache line of its own: the sides write them in turn. */
static struct shared {
    _Alignas(128) _Atomic uint64_t requests;
    _Alignas(128) _Atomic uint64_t replies;
    _Alignas(128) char bytes[MAX_BYTES];
} *shared;

static char *buffer;
static size_t request, reply;
static int connection;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static double cpu(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void send_all(size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t count = send(connection, buffer + done, bytes - done, MSG_NOSIGNAL);
        if (count < 0) fail("send");
        done += count;
    }
}

/* False once the other side is gone. */
static int receive_all(size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t count = recv(connection, buffer + done, bytes - done, 0);
        if (count <= 0) return 0;
        done += count;
    }
    return 1;
}

static void await(_Atomic uint64_t *counter, uint64_t value) {
    while (atomic_load_explicit(counter, memory_order_acquire) != value) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
}

static void call_socket(uint64_t turn) {
    (void)turn;
    send_all(request);
    if (!receive_all(reply)) fail("the server is gone");
}

static void call_memory(uint64_t turn) {
    memcpy(shared->bytes, buffer, request);
    atomic_store_explicit(&shared->requests, turn, memory_order_release);
    await(&shared->replies, turn);
    memcpy(buffer, shared->bytes, reply);
}

static void serve_socket(void) {
    while (receive_all(request)) send_all(reply);
}

static void serve_memory(void) {
    for (uint64_t turn = 1;; turn++) {
        await(&shared->requests, turn);
        memcpy(buffer, shared->bytes, request);
        memcpy(shared->bytes, buffer, reply);
        atomic_store_explicit(&shared->replies, turn, memory_order_release);
    }
}

static int ascending(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments) {
    if (count != 5) return fputs("floor socket|memory REQUEST REPLY SECONDS\n", stderr), 2;
    int over_socket = !strcmp(arguments[1], "socket");
    request = strtoul(arguments[2], NULL, 10);
    reply = strtoul(arguments[3], NULL, 10);
    double limit = atof(arguments[4]) * 1e6;
    if (request - 1 >= MAX_BYTES || reply - 1 >= MAX_BYTES) return fputs("floor: from 1 byte to 64 MiB\n", stderr), 2;

    size_t larger = request > reply ? request : reply;
    buffer = malloc(larger);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double *trips = malloc(MAX_TRIPS * sizeof *trips);
    if (!buffer || !trips || shared == MAP_FAILED) fail("memory");
    /* Pages are touched now, as those of a session that has lived for a while are. */
    memset(buffer, 1, larger);
    memset(shared->bytes, 1, larger);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) fail("socketpair");

    pid_t server = fork();
    if (server < 0) fail("fork");
    if (!server) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        connection = pair[1];
        over_socket ? serve_socket() : serve_memory();
        return 0;
    }
    close(pair[1]);
    connection = pair[0];

    void (*call)(uint64_t) = over_socket ? call_socket : call_memory;
    uint64_t turn = 1;
    for (; turn <= (larger > 4096 ? 3 : 300); turn++) call(turn);
    size_t done = 0;
    double begin = now(), last = begin, own = cpu(RUSAGE_SELF);
    while (done < MAX_TRIPS && (done < MIN_TRIPS || last - begin < limit)) {
        call(turn++);
        double at = now();
        trips[done++] = at - last;
        last = at;
    }
    own = (cpu(RUSAGE_SELF) - own) / done;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    qsort(trips, done, sizeof *trips, ascending);
    printf("%.3f %.3f %zu %.3f %.3f\n", trips[done / 2], trips[done * 99 / 100], done, own, cpu(RUSAGE_CHILDREN) / turn);
    return 0;
}
