/* The host's log: one line an event on stderr, `time=… level=… msg=… key=value…` (logfmt).
 * Lines carry routes, codes, lengths and times; never a path, a query, a header, a body or a
 * digest somebody sent. */
#ifndef HOST_DAEMON_LOG_H
#define HOST_DAEMON_LOG_H

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

/* `format` gives the line from msg= on, without a newline. Longer lines than LOG_LINE_MAX are
 * cut. */
enum { LOG_LINE_MAX = 512 };
void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
