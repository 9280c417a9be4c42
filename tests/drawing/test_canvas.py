import numpy as np

from evermodel.drawing.canvas import Canvas, exposed, mixed, shaded

RED = (255, 0, 0)


def test_the_middle_is_zero_and_half_the_shorter_side_is_one():
    canvas = Canvas.blank(20, 10, (0, 0, 0))
    canvas.shape([(-1, -1), (1, -1), (1, 1), (-1, 1)], RED)
    assert set(np.flatnonzero(canvas.finished()[5, :, 0] > 127)) == set(range(5, 15))


def test_another_place_on_the_same_picture_is_moved_scaled_and_mirrored():
    canvas = Canvas.blank(20, 20, (0, 0, 0))
    canvas.at(0.5, 0, -0.2, 0.5).shape([(0, -1), (1, -1), (1, 1), (0, 1)], RED)
    rows, columns = np.nonzero(canvas.finished()[..., 0] > 127)
    assert (columns.min(), columns.max()) == (13, 14)
    assert (rows.min(), rows.max()) == (5, 14)


def test_a_glow_is_strongest_in_its_middle_and_covers_its_share_there():
    canvas = Canvas.blank(40, 40, (0, 0, 0))
    canvas.glow(0, 0, 0.8, 0.8, RED, 0.5)
    profile = canvas.finished()[20, 20:, 0]
    assert abs(profile[0] - 127.5) < 5
    assert (np.diff(profile) <= 0).all()
    assert profile[-1] == 0


def test_a_blob_has_no_corners():
    canvas = Canvas.blank(40, 40, (0, 0, 0))
    canvas.blob([(-1, -1), (1, -1), (1, 1), (-1, 1)], RED)
    image = canvas.finished()[..., 0]
    assert image[0, 0] == image[39, 39] == 0
    assert image[20, 0] == image[0, 20] == image[20, 20] == 255


def test_a_line_goes_through_its_points():
    canvas = Canvas.blank(40, 40, (0, 0, 0))
    canvas.line([(-0.5, 0), (0, -0.5), (0.5, 0)], 0.1, RED)
    image = canvas.finished()[..., 0]
    assert min(image[19:21, 10:12].max(), image[9:11, 19:21].max(), image[19:21, 28:30].max()) > 60


def test_colours_mix_and_never_get_brighter_than_white():
    assert mixed((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
    assert shaded((200, 100, 50), 2) == (255, 200, 100)


def test_light_from_one_side_brightens_that_side():
    flat = np.full((8, 8, 3), 100.0)
    image = np.asarray(exposed(flat, np.random.RandomState(0), light=1, side=0.5, noise=0))
    assert image[0, 0, 0] == 50
    assert image[0, -1, 0] == 150
