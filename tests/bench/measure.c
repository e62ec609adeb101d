/* measure COMMAND...: run it and print "SECONDS KIB" on descriptor 3: wall time, and the most memory that it
 * and its descendants had resident together (Pss where the kernel tells it, sampled every 2 ms). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long parent_of(long pid)
{
	char path[64], state;
	long parent = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	if (fscanf(f, "%*d (%*[^)]) %c %ld", &state, &parent) != 2)
		parent = -1;
	fclose(f);
	return parent;
}

static long pss_of(long pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static int descends(long pid, long from)
{
	for (int depth = 0; pid > 1 && depth < 16; depth++, pid = parent_of(pid))
		if (pid == from)
			return 1;
	return 0;
}

static long sum(long from)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	long total = 0, pid;

	while (d != NULL && (de = readdir(d)) != NULL)
		if ((pid = atol(de->d_name)) > 1 && pid >= from && descends(pid, from))
			total += pss_of(pid);
	if (d != NULL)
		closedir(d);
	return total;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { 0, 2000000 };
	const char *quiet = getenv("MEASURE_TIME_ONLY"); /* sampling costs the measured process time */
	long peak = 0, kib;
	double began;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	began = now();
	if ((pid = fork()) == 0) {
		close(3);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	while (waitpid(pid, &status, quiet != NULL ? 0 : WNOHANG) == 0) {
		if ((kib = sum(pid)) > peak)
			peak = kib;
		nanosleep(&pause, NULL);
	}
	dprintf(3, "%.4f %ld\n", now() - began, peak);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
