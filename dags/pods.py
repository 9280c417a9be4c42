"""What Kubernetes is asked for by what an experiment says of its worker.

As data that the keywords of Kubernetes' client take: importing that would cost half a second at every look
at the DAGs.
"""

GPU = "nvidia.com/gpu"  # as NVIDIA's device plugin counts them, and its GPU operator taints their nodes


def asked(worker):
    """The resources of one container, and the labels and taints of the nodes that its pod may be on.

    What is asked for is also the limit: so memory can't be promised twice, and GPUs need it.
    """
    amounts = {GPU: worker.gpus, "memory": worker.memory, "cpu": worker.cpus}
    needed = {name: str(amount) for name, amount in amounts.items() if amount}
    labels = {f"{GPU}.product": worker.gpu} if worker.gpu else {f"{GPU}.present": "true"}
    return {
        "resources": {"requests": needed, "limits": needed},
        "node_selector": labels if worker.gpus else {},
        "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}] if worker.gpus else [],
    }
