// What only the enrolment says, and with it screens that are fetched later, in Chinese and English.

/** @satisfies {Record<string, readonly [zh: string, en: string]>} */
export const ENROL_WORDS = {
  back: ["返回", "Back"],
  enrol_anew: ["重新注册本机", "Enrol this device again"],
  fingerprint: ["服务器证书指纹", "Fingerprint of the server's certificate"],
  language: ["语言 Language", "Language 语言"],
  enrol_title: ["注册本设备", "Enrol this device"],
  enrol_how: ["请用扫描头扫描管理员出示的注册二维码，或把其内容粘贴到下面。", "Scan the enrolment QR code with the scanner, or paste its content below."],
  enrol_text: ["注册码内容", "Content of the enrolment code"],
  enrol: ["注册", "Enrol"],
  downloading: ["正在下载资料", "Downloading"],
  enrolling: ["正在注册……", "Enrolling…"],
  enrol_bad: ["这不是注册二维码，请重新扫描。", "This is no enrolment code; scan again."],
  enrol_refused: ["注册码无效或已使用，请管理员重新生成。", "The code is not valid any more; ask for a new one."],
  enrol_busy: ["服务器现在不能处理，请稍后再扫一次。", "The server cannot do it now; the code may still hold. Scan again later."],
  enrol_elsewhere: [
    "注册码属于另一个地址的服务器：请在浏览器中打开该地址，再扫描注册码。",
    "This code belongs to a server at another address; open that address in the browser and scan again.",
  ],
  enrol_lost: ["连不上服务器，请检查网络后再扫一次。", "The server cannot be reached; check the network and scan again."],
  enrol_fingerprint: [
    "注册码中的证书指纹与本服务器的不同，没有注册。请告知管理员。",
    "The certificate's fingerprint in the code is not this server's; nothing was enrolled. Tell the officer.",
  ],
  enrol_task: ["还有未完成的任务：请先完成或取消，再重新注册。", "A task is still open; finish or cancel it before you enrol again."],
  enrol_not_saved: [
    "存储出错，没有注册成功。请释放存储空间后，再扫一次同一个注册码。",
    "The storage failed; nothing was enrolled. Free some space, then scan the same code again.",
  ],
  enrol_again_how: [
    "没有上传的记录不会丢失：它们保留原来的签名，联网后继续上传。请管理员为本机生成新的注册码，用扫描头直接扫描即可。",
    "Nothing unsent is lost: it keeps its signature and goes on being sent. Ask the officer for a new enrolment code and scan it.",
  ],
  enrol_stays: ["会保留，仍用原来的密钥上传，不会丢失", "stay here and are still sent under the old key; nothing is lost"],
  enrol_nothing_unsent: ["记录已全部上传", "Everything is sent"],
  to_the_task: ["回到任务", "To the task"],
  over_revoked: [
    "本机的密钥已停用，或已用新的注册码重新注册过。在此之前的记录由主管在服务器上审核。",
    "The key of this device was revoked, or replaced by another enrolment. A supervisor reviews on the server what it states until then.",
  ],
  over_unknown: ["服务器不认识本机的密钥。", "The server does not know the key of this device."],
  over_copy: [
    "服务器发现本机数据有另一份副本，或本机数据被还原过。",
    "The server found a second copy of this device, or its data was set back.",
  ],
  enrolled: [
    "注册完成。请核对：管理员页面上的证书指纹也应是",
    "Enrolled. Compare: the fingerprint on the officer's page must be the same",
  ],
  enrol_wait: ["没有读入：资料还在下载，请稍候，注册完成后再扫一次", "Not read: the download is not finished; wait, then scan it again"],
  enrol_missed: ["下载期间扫描的内容没有读入，请再扫一次", "What was scanned during the download was not read: scan it again"],
  enrolled_plain: ["注册完成", "Enrolled"],
  enrol_private: [
    "这是无痕（隐私）窗口：关闭后记录会全部丢失，不能在此注册。请用普通窗口打开，并安装到主屏幕。",
    "This is a private window: everything would be lost when it is closed. Open the app in an ordinary window and install it.",
  ],
};
