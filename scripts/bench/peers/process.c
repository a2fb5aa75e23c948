/* The peers of fork-demo and mp-demo. Arguments: who, how many processes, MiB of the parent, 1 for huge pages. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int start_and_join(const char *name) {
    pid_t pid = -1;
    if (!strcmp(name, "C fork")) {
        pid = fork();
        if (pid == 0) _exit(0);
    } else if (!strcmp(name, "C vfork")) {
        pid = vfork();
        if (pid == 0) _exit(0);
    } else {
        /* The same program that mp-demo's `Process` spawns here. */
        char *words[] = {getenv("BENCH_PROGRAM"), "nothing", NULL};
        if (posix_spawn(&pid, words[0], NULL, NULL, words, environ) != 0) return 0;
    }
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    long times = atol(argv[2]), done = 0;
    size_t bytes = (size_t)atol(argv[3]) << 20;
    int huge = atoi(argv[4]);
    prctl(PR_SET_THP_DISABLE, !huge, 0, 0, 0);
    char *memory = aligned_alloc(2 << 20, bytes + (2 << 20));
    if (huge) madvise(memory, bytes, MADV_HUGEPAGE);
    memset(memory, 1, bytes + 1);
    start_and_join(argv[1]);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < times; i++) done += start_and_join(argv[1]);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double took = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
    printf("%f\n%ld\n", took / times, done);
    return memory[bytes / 2] < 0;
}
