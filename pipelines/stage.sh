#!/bin/sh
# Runs a stage of the folder that DVC is in: `sh ../../pipelines/stage.sh train NAME`. Uses the environment of this
# repository, also where DVC works in a copy below it (`dvc exp run --temp`), and else the Python of PATH.
if [ -n "$2" ] && [ "$2" != "$(basename "$PWD")" ]; then
  echo "$PWD/params.yaml: name is $2; make it the name of its folder, $(basename "$PWD")" >&2
  exit 1
fi
cd "$(dirname "$0")/.." || exit 1
here=$PWD
until [ -x "$here/.venv/bin/python" ] || [ "$here" = / ]; do here=$(dirname "$here"); done
export PATH="$here/.venv/bin:$PATH" PYTHONPATH="$PWD/src"
# What NumPy, OpenBLAS and Keras choose by the processor or the home folder when they are imported.
case $(uname -m) in
  x86_64 | amd64) export OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" ;;
esac
export KERAS_BACKEND=tensorflow KERAS_HOME=.evermodel/keras
unset NPY_ENABLE_CPU_FEATURES KERAS_MAX_EPOCHS KERAS_MAX_STEPS_PER_EPOCH
exec python -m "pipelines.$@"
