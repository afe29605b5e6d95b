#include "host/daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"info", "warn", "error"};
    char line[LOG_LINE_MAX];
    struct timespec now;
    struct tm tm;
    va_list args;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ level=%s ", now.tv_nsec / 1000000,
                          names[level]);
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (more > 0) n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    line[n++] = '\n';
    ssize_t lost =
        write(STDERR_FILENO, line, n); /* one write, so that lines of threads do not mix */
    (void)lost;
}
