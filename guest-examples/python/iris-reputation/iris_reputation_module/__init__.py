"""A module for IRIS, as it would be installed there."""

__iris_module_interface = "IrisReputationInterface"
