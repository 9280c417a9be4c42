from evermodel.core import catalog


def test_every_model_and_task_on_offer_can_be_asked_for_its_options_and_metrics():
    assert all(isinstance(catalog.options(model), dict) for model in catalog.modules("models"))
    assert all(
        set(catalog.headlines(task).values()) <= {"higher", "lower"} for task in catalog.modules("tasks")
    )


def test_what_a_model_is_written_in_is_read_from_its_imports():
    assert catalog.framework("mlp") == "keras"
    assert catalog.framework("linear") == "sklearn"


def test_options_say_which_of_them_must_be_given():
    assert catalog.options("mlp") == {"units": True, "dropout": False, "batch_norm": False}


def test_where_pretrained_weights_lie_is_no_option():
    assert "base" in catalog.options("transfer")
    assert "weights" not in catalog.options("transfer")
