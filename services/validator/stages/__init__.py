"""The light stages, one plain function each; they run one after the other in one worker thread."""
