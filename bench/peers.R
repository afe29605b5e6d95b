# One operation of R, as bench/peers.py has those of Python: Rscript bench/peers.R OPERATION NAME=VALUE ...
# Wants r-base-core and r-cran-data.table (tools/packages.txt).
words <- commandArgs(TRUE)
parts <- regmatches(words[-1], regexpr("=", words[-1]), invert = TRUE)
option <- setNames(lapply(parts, `[`, 2), sapply(parts, `[`, 1))
number <- function(name, otherwise) if (is.null(option[[name]])) otherwise else as.numeric(option[[name]])
timed <- function(work) {
  t <- system.time(result <- work())
  list(cpu = sum(t[c(1, 2)]), wall = t[[3]], result = result)
}
say <- function(cpu, wall, answer)
  cat(sprintf("{\"op\": \"%s\", \"seconds_cpu\": %.6f, \"seconds_wall\": %.6f, \"answer\": [%s]}\n", words[1], cpu, wall,
              paste(sprintf("%.17g", answer), collapse = ", ")))

if (words[1] == "kmeans_iteration") {
  n <- number("n"); d <- number("d"); k <- number("k"); rounds <- number("rounds", 6); unit <- number("unit", 1e7)
  x <- matrix(readBin(option$file, "integer", n * d) / unit, ncol = d)
  start <- x[(0:(k - 1)) * (n %/% k) + 1, , drop = FALSE]
  run <- function(rounds) suppressWarnings(kmeans(x, start, iter.max = rounds, algorithm = "Lloyd"))
  one <- timed(function() run(1))
  all <- timed(function() run(rounds))
  centroids <- as.vector(t(all$result$centers)) * unit
  say((all$cpu - one$cpu) / (rounds - 1), (all$wall - one$wall) / (rounds - 1), sum(centroids * ((seq_along(centroids) - 1) %% 7 + 1)))
} else if (words[1] == "csv") {
  suppressMessages(library(data.table))
  setDTthreads(1)
  runs <- lapply(1:3, function(i) timed(function() fread(option$file)))
  best <- runs[[which.min(sapply(runs, `[[`, "cpu"))]]
  say(best$cpu, best$wall, c(nrow(best$result), sum(best$result$latitude), sum(best$result$longitude)))
}
