"""Between DP³'s interface and the contract: nothing that modules import."""
