from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "xuezheng.boards"
    label = "boards"
