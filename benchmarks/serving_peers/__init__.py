"""housectl's server beside other model servers, with the same forest and the same load."""
