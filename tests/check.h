/* cmocka with the includes it wants in the order it wants them, and CHECK for statuses. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "include/apex/status.h"

#define CHECK(condition) assert_true(condition)
#define CHECK_OK(call) assert_int_equal((int)(call), (int)APEX_OK)
#define CHECK_STATUS(call, status) assert_int_equal((int)(call), (int)(status))

/* Line by line also into a pipe: a test that is stopped in its course has said how far it came. */
__attribute__((constructor)) static void check_lines_at_once(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}

#endif
