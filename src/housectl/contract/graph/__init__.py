"""The ONNX graph of a bundle, and the models that it can contain."""
