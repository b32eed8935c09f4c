# As conda's own does.
export CONDA_PREFIX=$CONDA_DIR CONDA_DEFAULT_ENV=base
