"""Every Keras architecture against its own REFERENCES; a new file is picked up without a line here."""

import importlib

import pytest

from evermodel.core import catalog

NETWORKS = [name for name in catalog.modules("models") if catalog.framework(name) == "keras"]


def architecture(name):
    return importlib.import_module(f"evermodel.models.{name}")


def build(name, input_shape, outputs, options):
    """The architecture with linear heads."""
    activation = dict.fromkeys(outputs) if isinstance(outputs, dict) else None
    return architecture(name).build(input_shape, outputs, activation, **options)


def larger(input_shape):
    """Another size that every pooling still divides, and that is not square."""
    axes = input_shape[:-1] or input_shape
    return tuple(size + 32 * (axis + 1) for axis, size in enumerate(axes)) + input_shape[len(axes) :]


@pytest.fixture
def no_numbers(keras):
    """Weights have shapes only: drawing the numbers of the largest takes seconds, and nobody here looks."""
    with keras.StatelessScope(initialize_variables=False):
        yield


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("no_numbers")
def test_an_architecture_has_exactly_the_published_number_of_parameters(name):
    assert architecture(name).REFERENCES
    for input_shape, outputs, options, parameters in architecture(name).REFERENCES:
        assert build(name, input_shape, outputs, options).count_params() == parameters


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("no_numbers")
def test_an_architecture_answers_in_the_shape_that_is_asked_of_it_at_any_size(name, keras):
    input_shape, outputs, options, _ = min(architecture(name).REFERENCES, key=lambda row: row[3])
    for shape in (input_shape, larger(input_shape)):
        model = build(name, shape, outputs, options)
        if model.name == "text_to_image":  # which is told captions beside images
            assert model.get_layer("decoder").output_shape == (None, *shape[:-1], outputs)
            assert [given[1:] for given in model.input_shape] == [shape, (8,)]
            continue
        if isinstance(model.input_shape, list):  # it goes through a text of any length, step by step
            assert [model.input_shape[0], model.output_shape[0]] == [(None, None), (None, None, outputs)]
            continue
        assert model.input_shape == (None, *shape)
        predictions = {answer.shape for answer in keras.tree.flatten(model.output)}
        # An image has the size of the input.
        place = shape[:-1] if any(len(answer) == 4 for answer in predictions) else ()
        units = outputs.values() if isinstance(outputs, dict) else [outputs]
        assert predictions >= {(None, *place, number) for number in units}


@pytest.mark.parametrize("name", NETWORKS)
def test_an_architecture_file_fits_a_screen_or_two(name):
    lines = (catalog.PACKAGE / "models" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (175 if name == "text_to_image" else 80)  # a reader, a drawer and a painter
