"""What happened, as pictures (contact sheet, crops, loss, samples) and as one self-contained page."""
