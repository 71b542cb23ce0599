"""What an audit tries: samples of inputs, sizes and masks, boundary values first, everything from a seed."""

from attn_verify.checks.inputs.constants import Constants, mine
from attn_verify.checks.inputs.samples import Sample, battery, random_samples
from attn_verify.checks.inputs.sizes import mask_battery, size_battery

__all__ = ["Constants", "Sample", "battery", "mask_battery", "mine", "random_samples", "size_battery"]
