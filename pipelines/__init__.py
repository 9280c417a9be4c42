"""What the stages run: `python -m pipelines.STAGE NAME`, by stage.sh in the folder of that name."""

import gc
import sys

if sys.argv[0] == "-m":  # what Python says while it looks for the script that it is told to run
    # Whatever that imports stays to the end, and looking through it takes two fifths of TensorFlow's import;
    # stage.run lets the collector begin after it.
    gc.disable()
