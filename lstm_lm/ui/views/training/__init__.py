"""How models learned: loss curves and samples."""
