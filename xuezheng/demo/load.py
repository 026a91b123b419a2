class DemoRefused(Exception):
    pass
