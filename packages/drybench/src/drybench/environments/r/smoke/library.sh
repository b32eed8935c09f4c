# The first library is the person's, it can be written to, and plots are drawn without a screen.
set -eu
cd "$(mktemp -d)"
Rscript -e '
  first <- .libPaths()[1]
  stopifnot(startsWith(first, Sys.getenv("HOME")), file.access(first, 2) == 0)
  library(ggplot2)
  png("plot.png"); print(ggplot(cars, aes(speed, dist)) + geom_point()); invisible(dev.off())
'
test "$(stat -c %s plot.png)" -gt 2000
