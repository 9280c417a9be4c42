"""One network by LitServe, which puts requests together into batches, for benchmarks/serving.py.

It runs in an environment of its own, of which `benchmarks/serving.py --litserve` is told the Python:

    python3 -m venv .venv-litserve
    .venv-litserve/bin/pip install litserve==0.2.19 tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6

    .venv-litserve/bin/python benchmarks/litserve_server.py model.keras 8000
"""

import json
import os
import sys
from typing import Any

import litserve
import numpy as np
from fastapi import Response

BATCH, WAIT = 32, 0.002  # requests at most, and the seconds that the first of them waits for others


class Network(litserve.LitAPI):  # type: ignore[misc]
    """Answers rows of raw examples as MLflow's server does."""

    def setup(self, device: str) -> None:
        """Load the network, by the function that our server asks it by."""
        import keras

        from evermodel.runs import network

        model = keras.saving.load_model(os.environ["MODEL"], compile=False, safe_mode=True)
        self.answer, self.dtype = network.compiled(model), model.inputs[0].dtype

    def decode_request(self, request: dict[str, Any]) -> Any:
        """The rows of one request."""
        return np.asarray(request["inputs"], self.dtype)

    def batch(self, inputs: list[Any]) -> Any:
        """The rows of several, one each."""
        return np.concatenate(inputs)

    def predict(self, x: Any) -> Any:
        """The answers."""
        return self.answer(x)

    def unbatch(self, output: Any) -> list[Any]:
        """An answer each."""
        return list(output)

    def encode_response(self, output: Any) -> Response:
        """As MLflow's server writes it; as a response, because FastAPI takes long for large lists."""
        return Response(json.dumps({"predictions": output[None].tolist()}), media_type="application/json")


if __name__ == "__main__":
    os.environ["MODEL"], port = sys.argv[1], int(sys.argv[2])
    api = Network(max_batch_size=BATCH, batch_timeout=WAIT)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")
