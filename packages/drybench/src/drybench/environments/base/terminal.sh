# Read by every terminal. A login shell starts with Debian's own PATH, in which the environment is missing.
case ":$PATH:" in
    *:/opt/python/bin:*) ;;
    *) export PATH="/opt/python/bin:$PATH" ;;
esac
export MAMBA_ROOT_PREFIX="${MAMBA_ROOT_PREFIX:-$HOME/.conda}"

# `conda activate` has to change the shell that it is said in, so there it is a function.
for drybench_micromamba in /usr/local/bin/micromamba "$HOME/bin/micromamba"; do
    if [ -n "$BASH_VERSION" ] && [ -x "$drybench_micromamba" ]; then
        eval "$("$drybench_micromamba" shell hook --shell bash 2>/dev/null)"
        conda() { micromamba "$@"; }
        break
    fi
done
unset drybench_micromamba
