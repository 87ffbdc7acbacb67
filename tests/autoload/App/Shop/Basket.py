"""A class under the last part of its PHP name."""


class Basket:
    def where(self):
        return __name__
