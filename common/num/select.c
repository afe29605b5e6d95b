#include "common/num/select.h"

#include <math.h>
#include <stdlib.h>

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle_of(double a, double b, double c)
{
    if (a > b) {
        double t = a;
        a = b;
        b = t;
    }
    return c < a ? a : c > b ? b : c;
}

double select_kth(double *numbers, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    unsigned rounds = 0;
    while (low < high) {
        if (++rounds > 128) { /* pivots that keep failing: sort what is left */
            qsort(numbers + low, high - low + 1, sizeof *numbers, order);
            break;
        }
        double pivot = middle_of(numbers[low], numbers[low + (high - low) / 2], numbers[high]);
        size_t i = low, j = high;
        for (;;) {
            while (numbers[i] < pivot)
                i++;
            while (numbers[j] > pivot)
                j--;
            if (i >= j) break;
            double t = numbers[i];
            numbers[i++] = numbers[j];
            numbers[j--] = t;
            if (j < i && j < low) break;
        }
        /* All up to j are not greater than the pivot, all from j + 1 on not less. */
        if (numbers[j] > pivot && j > low) j--;
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return numbers[k];
}

double select_quantile(double *numbers, size_t n, double q)
{
    double at = (double)(n - 1) * q, below = floor(at);
    size_t i = (size_t)below;
    double low = select_kth(numbers, n, i), high = low;
    if (i + 1 >= n) return low;
    high = numbers[i + 1];
    for (size_t k = i + 2; k < n; k++)
        if (numbers[k] < high) high = numbers[k];
    return low + (at - below) * (high - low);
}
