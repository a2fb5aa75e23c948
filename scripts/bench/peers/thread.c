/* The peer of thread-demo: a thread for each name, all started, then all joined. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *greet(void *name) {
    char line[64];
    int length = snprintf(line, sizeof line, "Hello,  %s\n", (char *)name);
    return write(1, line, length) == length ? NULL : name;
}

int main(int argc, char **argv) {
    pthread_t *threads = malloc(sizeof *threads * argc);
    for (int i = 1; i < argc; i++)
        if (pthread_create(&threads[i], NULL, greet, argv[i]) != 0) return 1;
    for (int i = 1; i < argc; i++) {
        void *failed;
        if (pthread_join(threads[i], &failed) != 0 || failed) return 1;
    }
    return 0;
}
