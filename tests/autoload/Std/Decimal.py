from decimal import Decimal

__all__ = ["Decimal"]
