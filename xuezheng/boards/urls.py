from django.urls import path

from xuezheng.boards.views import account, health, inbox

urlpatterns = [
    path("", inbox.home, name="home"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("sign-in/", account.sign_in, name="sign_in"),
    path("sign-out/", account.sign_out, name="sign_out"),
    path("password/", account.change_password, name="change_password"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
]
