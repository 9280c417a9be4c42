"""The scripts of dvc.yaml's stages: `python -m pipelines.STAGE NAME`."""

import gc
import sys

if sys.argv[0] == "-m":  # what Python says while it looks for the script that it is told to run
    # Whatever that imports stays to the end; stage.run lets the collector begin after it.
    gc.disable()
