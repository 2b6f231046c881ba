"""Training of small CF-VGG students: pictures, losses, checkpoints and the training loop. Needs torch."""
