"""A class, and the other classes of its file."""


class Held_Refused(Exception):
    pass


class Helper:
    class Inner:
        pass


class Held_Account:
    def refuse(self):
        raise Held_Refused("no")

    def helper(self):
        return Helper()

    def inner(self):
        return Helper.Inner()

    def hidden(self):
        class Hidden:
            pass

        return Hidden()
