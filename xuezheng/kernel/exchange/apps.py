from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "xuezheng.kernel.exchange"
    label = "exchange"
