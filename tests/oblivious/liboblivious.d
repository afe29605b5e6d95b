tests/oblivious/liboblivious.a: common/num/bayes.c common/base/banned.h \
 common/num/bayes.h include/apex/status.h common/base/size.h \
 common/num/exact.h
tests/oblivious/liboblivious.a: common/num/exact.c common/base/banned.h \
 common/num/exact.h
tests/oblivious/liboblivious.a: common/num/kmeans.c common/base/banned.h \
 common/num/kmeans.h include/apex/status.h common/base/try.h \
 common/num/exact.h common/num/kmeans_step.h common/num/parallel.h \
 common/num/random.h
tests/oblivious/liboblivious.a: common/num/kmeans_step.c \
 common/base/banned.h common/num/kmeans_step.h common/num/kmeans.h \
 include/apex/status.h common/num/parallel.h common/base/size.h
tests/oblivious/liboblivious.a: common/num/parallel.c \
 common/base/banned.h common/num/parallel.h
tests/oblivious/liboblivious.a: common/num/random.c common/base/banned.h \
 common/num/random.h common/base/endian.h
tests/oblivious/liboblivious.a: common/num/reduce.c common/base/banned.h \
 common/num/reduce.h include/apex/status.h common/base/size.h \
 common/base/wipe.h common/num/parallel.h
tests/oblivious/liboblivious.a: common/num/select.c common/base/banned.h \
 common/num/select.h
tests/oblivious/liboblivious.a: common/num/simd.c common/base/banned.h \
 common/num/simd.h
tests/oblivious/liboblivious.a: common/base/buffer.c common/base/banned.h \
 common/base/buffer.h common/base/span.h include/apex/status.h \
 common/base/endian.h common/base/size.h common/base/wipe.h
tests/oblivious/liboblivious.a: common/base/cursor.c common/base/banned.h \
 common/base/cursor.h common/base/span.h include/apex/status.h \
 common/base/endian.h common/base/try.h
tests/oblivious/liboblivious.a: common/base/hex.c common/base/banned.h \
 common/base/hex.h common/base/span.h include/apex/status.h
tests/oblivious/liboblivious.a: common/base/status.c common/base/banned.h \
 include/apex/status.h
tests/oblivious/liboblivious.a: tests/oblivious/secret.c \
 common/base/banned.h tests/oblivious/secret.h common/num/leak.h \
 common/num/simd.h tests/oblivious/trace.h
tests/oblivious/liboblivious.a: tests/oblivious/trace.c \
 common/base/banned.h tests/oblivious/trace.h tests/oblivious/secret.h \
 tests/oblivious/operands.h
tests/oblivious/liboblivious.a: tests/oblivious/operands.c \
 common/base/banned.h tests/oblivious/operands.h
