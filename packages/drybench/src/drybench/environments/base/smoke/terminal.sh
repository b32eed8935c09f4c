# In a login shell, as JupyterLab's terminal is one.
set -eu
for program in python jupyter drybench uv git nano vim gcc make unzip ssh curl; do
    command -v "$program" > /dev/null || { echo "$program is not there"; exit 1; }
done
test "$(python -c 'import sys; print(sys.prefix)')" = /opt/python
test "$(locale charmap)" = UTF-8
if command -v micromamba > /dev/null; then
    conda --version
else
    sentence=$(conda 2>&1) && exit 1
    case "$sentence" in *"could not be had"*) ;; *) echo "$sentence"; exit 1 ;; esac
fi
