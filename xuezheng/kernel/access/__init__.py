"""Who may do what, where: organisations, posts, actors, permissions, and the fence around requests.

Reading order: models.py, permissions.py, actors.py, scope.py, fence.py, guards.py.
"""
